"""Brings the tables of the shop's database up to date."""
import os

import psycopg2

with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY, item text NOT NULL, at timestamptz NOT NULL DEFAULT now())"
    )
print("the table of orders is there")
