"""A shop with one page: orders are rows of PostgreSQL, visits are counted in Redis."""
import os

import psycopg2
import redis
from flask import Flask, redirect, render_template_string, request

VERSION = "1"

app = Flask(__name__)
cache = redis.Redis.from_url(os.environ["REDIS_URL"])

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>The shop</title>
<h1>The shop, version {{ version }}, in {{ space }}</h1>
<p id="visits">Visit {{ visits }}</p>
<form method="post"><input name="item" required maxlength="100"> <button>Order</button></form>
<ul>{% for item in items %}<li>{{ item }}</li>{% endfor %}</ul>
"""


def database():
    return psycopg2.connect(os.environ["DATABASE_URL"])


@app.get("/")
def page():
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT item FROM orders ORDER BY id")
        items = [item for (item,) in cursor.fetchall()]
    visits = cache.incr("visits")
    return render_template_string(PAGE, version=VERSION, space=os.environ["SPACE"], visits=visits, items=items)


@app.post("/")
def order():
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO orders (item) VALUES (%s)", (request.form["item"],))
    return redirect("/")


@app.get("/version")
def version():
    return VERSION


@app.get("/health")
def health():
    cache.ping()
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"
