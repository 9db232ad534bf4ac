-- What customers have ordered, and what each has spent.
CREATE TABLE orders (
  id INT NOT NULL PRIMARY KEY,
  customer VARCHAR(40) NOT NULL,
  total DOUBLE NOT NULL,
  paid BOOLEAN
);

CREATE VIEW spent AS
SELECT customer, count(*) AS orders, sum(total) AS total
FROM orders
GROUP BY customer;

CREATE VIEW unpaid AS
SELECT id, customer, total FROM orders WHERE NOT paid;
