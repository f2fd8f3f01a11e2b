-- Queries on tables: JSON and Parquet, nested columns, what BI tools and dbt send.
SELECT * FROM sales
SELECT * FROM sales_parquet
SELECT orderid, quantity * price AS amount FROM sales
SELECT sum(quantity * price) FROM sales
SELECT quantity * price * 1.077 FROM sales
SELECT price / quantity, price / 3, price * 0.1, -price FROM sales
SELECT avg(price), min(price), max(price), sum(price), count(price) FROM sales
SELECT orderid, address.city, address.geo.lat FROM sales
SELECT orderid, address.city, address.geo.lat FROM sales_parquet
SELECT s.address.city FROM sales AS s
SELECT sales.address.city FROM sales
SELECT address.nope FROM sales
SELECT address FROM sales
SELECT address.geo FROM sales
SELECT address.city, count(*) FROM sales GROUP BY address.city
SELECT address.city, count(*) FROM sales GROUP BY 1 ORDER BY 2 DESC, 1
SELECT orderid FROM sales WHERE address.city = 'Bern' AND address.geo.lat > 1
SELECT orderid FROM sales WHERE address IS NULL
SELECT orderid, i.sku, i.qty FROM sales CROSS JOIN UNNEST(items) AS i(sku, qty, price)
SELECT orderid, sku, qty * i.price FROM sales CROSS JOIN UNNEST(items) AS i(sku, qty, price)
SELECT orderid, sku FROM sales_parquet CROSS JOIN UNNEST(items) AS i(sku, qty, price)
SELECT orderid, sku, o FROM sales LEFT JOIN UNNEST(items) WITH ORDINALITY AS i(sku, qty, price, o) ON true  -- refused: UNNEST of several arrays, or WITH ORDINALITY
SELECT sku, sum(qty), sum(qty * i.price) FROM sales CROSS JOIN UNNEST(items) AS i(sku, qty, price) GROUP BY sku
SELECT orderid, cardinality(items), cardinality(tags), cardinality(attributes) FROM sales
SELECT orderid, items[1].sku FROM sales WHERE cardinality(items) > 0
SELECT orderid, element_at(items, 1).sku, element_at(tags, 1), element_at(tags, -1) FROM sales
SELECT orderid, items[5].sku FROM sales
SELECT orderid, element_at(attributes, 'channel') FROM sales
SELECT orderid, attributes['channel'] FROM sales WHERE orderid = 'o1'
SELECT orderid, attributes['nope'] FROM sales WHERE orderid = 'o1'
SELECT orderid, k, v FROM sales CROSS JOIN UNNEST(attributes) AS a(k, v)
SELECT orderid, t FROM sales CROSS JOIN UNNEST(tags) AS u(t)
SELECT orderid FROM sales WHERE contains(tags, 'new')
SELECT orderid, contains(tags, 'vip') FROM sales
SELECT orderid, array_join(tags, ',', '?') FROM sales  -- refused: array_join(array(varchar), varchar, varchar)
SELECT orderid, transform(items, i -> i.qty * i.price) FROM sales
SELECT orderid, filter(items, i -> i.qty > 1) FROM sales
SELECT orderid, reduce(items, CAST(0 AS decimal(38,2)), (s, i) -> s + coalesce(i.qty * i.price, 0), s -> s) FROM sales  -- refused: the function reduce
SELECT orderid, any_match(items, i -> i.sku = 'a') FROM sales
SELECT CAST(address AS ROW(town varchar, code varchar, geo ROW(a double, b double))) FROM sales
SELECT CAST(address AS json), CAST(items AS json), CAST(attributes AS json) FROM sales
SELECT orderid, json_extract_scalar(extras, '$.coupon'), json_extract_scalar(extras, '$.note.by[1]') FROM sales
SELECT orderid, json_extract(extras, '$.note') FROM sales
SELECT orderid, json_value(extras, 'lax $.coupon'), json_exists(extras, 'lax $.note'), json_query(extras, 'lax $.note') FROM sales
SELECT orderid, map_keys(attributes), map_values(attributes) FROM sales
SELECT orderid, created_at, date_trunc('hour', created_at), date_format(created_at, '%Y-%m-%d') FROM sales
SELECT orderid, created_at AT TIME ZONE 'Europe/Zurich', date_trunc('day', created_at AT TIME ZONE 'Europe/Zurich') FROM sales
SELECT orderid, CAST(created_at AS date), placed_on + interval '1' month, date_diff('day', placed_on, date '2026-12-01') FROM sales
SELECT orderid, created_at >= date '2026-11-20', placed_on < created_at FROM sales
SELECT orderid, to_unixtime(created_at), created_at + interval '1' second, CAST(created_at AS varchar) FROM sales
SELECT orderid, rating, CAST(rating AS varchar), round(rating), CAST(rating AS decimal(20,2)), rating / 0, rating > 1 FROM sales
SELECT orderid, paid, NOT paid, paid AND quantity > 1, if(paid, 'y', 'n') FROM sales
SELECT paid, count(*), sum(price) FROM sales GROUP BY paid
SELECT max(created_at), min(placed_on), max_by(orderid, created_at) FROM sales
SELECT array_agg(orderid ORDER BY orderid), map_agg(orderid, quantity) FROM sales WHERE quantity = 5  -- refused: the function map_agg
SELECT address.city, array_agg(orderid ORDER BY orderid) FROM sales GROUP BY address.city
SELECT DISTINCT address FROM sales WHERE address.city = 'Zürich'
SELECT orderid FROM sales ORDER BY price DESC
SELECT orderid FROM sales ORDER BY price DESC NULLS FIRST, orderid
SELECT orderid, "$path" IS NOT NULL FROM sales
SELECT s.orderid, p.orderid FROM sales s JOIN sales_parquet p ON s.orderid = p.orderid AND s.price = p.price
SELECT count(*) FROM sales WHERE price BETWEEN 0.05 AND 20
SELECT count(*) FROM sales WHERE price > 19.985
SELECT count(*) FROM sales WHERE price = 19.99e0
SELECT count(*) FROM sales WHERE quantity = '2'
SELECT count(*) FROM sales WHERE orderid = 1
SELECT count(*) FROM sales WHERE quantity
SELECT orderid + 1 FROM sales
SELECT coalesce(orderid, 1) FROM sales
SELECT day, kind, count(*), sum(amount) FROM events GROUP BY day, kind
SELECT day, sum(amount), sum(sum(amount)) OVER (ORDER BY day) FROM events GROUP BY day ORDER BY day
SELECT id, lag(at) OVER (ORDER BY at, id), date_diff('minute', lag(at) OVER (ORDER BY at, id), at) FROM events
SELECT id, amount, avg(amount) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM events
SELECT d, count(e.id) FROM UNNEST(sequence(date '2026-11-01', date '2026-11-04')) AS c(d) LEFT JOIN events e ON CAST(e.at AS date) = c.d GROUP BY d ORDER BY d
SELECT count(*) FILTER (WHERE kind = 'INSERT') AS inserts, count_if(kind IS NULL) FROM events
WITH ranked AS (SELECT *, row_number() OVER (PARTITION BY day ORDER BY at DESC, id) AS r FROM events) SELECT id FROM ranked WHERE r = 1
SELECT * FROM (SELECT id, kind FROM events WHERE id < 3) AS x FULL JOIN (SELECT id AS i, amount FROM events WHERE id > 1) AS y ON x.id = y.i
SELECT id FROM events WHERE at >= timestamp '2026-11-02 00:00:00' AND at < timestamp '2026-11-03 00:00:00'
SELECT id FROM events WHERE day LIKE '2026-11-0_' AND kind IN ('INSERT', 'MODIFY')
SELECT id FROM events WHERE kind NOT IN ('INSERT')
SELECT id FROM events WHERE kind <> 'INSERT'
SELECT substr(day, 1, 7) AS month, sum(amount) AS total FROM events GROUP BY substr(day, 1, 7) HAVING sum(amount) > 0
SELECT id, CASE WHEN amount > 10 THEN 'big' WHEN amount > 0 THEN 'small' ELSE 'none' END FROM events
SELECT id, try_cast(day AS date), date(day), date_parse(day, '%Y-%m-%d') FROM events
SELECT id, concat(day, '-', kind), day || kind FROM events
SELECT approx_distinct(day), approx_percentile(amount, 0.5) FROM events  -- refused: approx_percentile(decimal(12,2), decimal(1,1))
SELECT approx_percentile(CAST(amount AS double), 0.5) FROM events
SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' AND table_name IN ('sales', 'events')
SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'sales' ORDER BY ordinal_position
SELECT awsdatacatalog.shop.events.id FROM awsdatacatalog.shop.events WHERE id = 1
SELECT shop.events.id FROM shop.events WHERE id = 1
SELECT "id" FROM "awsdatacatalog"."shop"."events" WHERE "id" = 1
SELECT id FROM events e WHERE EXISTS (SELECT 1 FROM sales s WHERE CAST(s.created_at AS date) = CAST(e.at AS date))
SELECT id, (SELECT count(*) FROM sales s WHERE s.quantity >= e.id) FROM events e
select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from (select orderid from sales where orderid is null) dbt_internal_test
with all_values as (select kind as value_field, count(*) as n_records from events group by kind) select * from all_values where value_field not in ('INSERT','MODIFY','REMOVE')
select orderid as unique_field, count(*) as n_records from sales where orderid is not null group by orderid having count(*) > 1
SELECT * FROM typed_parquet
SELECT id, at, at + interval '1' second, date_trunc('minute', at), CAST(at AS varchar), CAST(at AS date) FROM typed_parquet
SELECT id, day, day + interval '1' month, year(day), day_of_week(day), date_diff('day', day, date '2026-11-20') FROM typed_parquet WHERE day > date '1900-01-01' AND id < 5
SELECT day + interval '1' month FROM typed_parquet WHERE id = 5  -- refused: dates before 1 or after 9999
SELECT id FROM typed_parquet WHERE at = timestamp '2026-11-20 10:00:00.123'
SELECT id FROM typed_parquet WHERE at > timestamp '2026-11-20 10:00:00'
SELECT id FROM typed_parquet WHERE day BETWEEN date '1969-01-01' AND date '2024-02-29'
SELECT id, at AT TIME ZONE 'Europe/Zurich', to_unixtime(at) FROM typed_parquet
SELECT small + 1, small * small, medium * 2, medium + small, wide + small, -wide, small / 3 FROM typed_parquet
SELECT sum(small), sum(medium), sum(wide), avg(small), min(wide), max(medium) FROM typed_parquet
SELECT id, wide, CAST(wide AS double), CAST(wide AS bigint), round(wide, 2) FROM typed_parquet WHERE id = 1
SELECT id, ratio, weight, CAST(ratio AS varchar), CAST(weight AS double), ratio + weight FROM typed_parquet WHERE id > 3  -- refused: calculating with reals; cast them to double
SELECT id, rank, abs(rank) FROM typed_parquet
SELECT id, rank, rank - 1 FROM typed_parquet
SELECT id, rank - smallint '1' FROM typed_parquet
SELECT id, photo, length(photo), to_hex(photo), from_utf8(photo) FROM typed_parquet  -- refused: the function from_utf8
SELECT id, who, who.name, who.age + 1, who.joined FROM typed_parquet
SELECT id FROM typed_parquet WHERE who.joined IS NULL
SELECT id FROM typed_parquet WHERE who.name = 'Zoë' AND who.joined >= date '2020-01-01'
SELECT id, lines, cardinality(lines), lines[1].price * 2 FROM typed_parquet WHERE id > 1000
SELECT id, sku, price, l.at FROM typed_parquet CROSS JOIN UNNEST(lines) AS l(sku, price, at)
SELECT id, transform(lines, l -> l.price) FROM typed_parquet
SELECT id, tags, array_join(tags, '|', '-'), contains(tags, 'a') FROM typed_parquet  -- refused: array_join(array(varchar), varchar, varchar)
SELECT id, prices, element_at(prices, 'EUR'), cardinality(prices), map_keys(prices) FROM typed_parquet
SELECT id, groups, flatten(groups), cardinality(groups) FROM typed_parquet
SELECT id, g, n FROM typed_parquet CROSS JOIN UNNEST(groups) AS a(g) CROSS JOIN UNNEST(g) AS b(n)
SELECT id, added, coalesce(added, 'none'), length(added) FROM typed_parquet
SELECT added, count(*), count(added), max(day), min(at) FROM typed_parquet GROUP BY added
SELECT id FROM typed_parquet WHERE added IS NULL ORDER BY id DESC
SELECT CAST(who AS json), CAST(prices AS json), CAST(tags AS json) FROM typed_parquet
SELECT CAST(lines AS json) FROM typed_parquet
SELECT unread FROM typed_parquet
SELECT count(*) FROM typed_parquet WHERE "$path" LIKE '%/1.parquet'
SELECT id FROM typed_parquet WHERE flag
SELECT id FROM typed_parquet WHERE NOT flag
SELECT c.id, s.orderid FROM typed_parquet c JOIN sales s ON c.small = s.price
SELECT date_trunc('month', day), count(*) FROM typed_parquet WHERE id < 5 GROUP BY 1
SELECT max_by(id, at), min_by(id, day), array_agg(id ORDER BY at) FROM typed_parquet
SELECT at, at = timestamp '2026-11-20 10:00:00.123', CAST(at AS varchar), CAST(at AS date) FROM fine
SELECT other.events.id FROM shop.events
SELECT shop.e.id FROM shop.events e
SELECT other.shop.events.id FROM shop.events
SELECT upper(kind) OVER () FROM events  -- refused: OVER or FILTER of upper
SELECT upper(kind) FILTER (WHERE id > 1) FROM events  -- refused: OVER or FILTER of upper
SELECT approx_percentile(id, 'a') FROM events  -- refused: approx_percentile(integer, varchar)
SELECT ID, Kind AS K, events.AT FROM Events WHERE iD = 1
SELECT E.* FROM events AS E WHERE e.ID = 1
SELECT id FROM events JOIN (SELECT id, amount AS a FROM events) AS x USING (id) WHERE id < 3  -- refused: USING here
SELECT * FROM events AS e JOIN (SELECT id, amount AS a FROM events) AS x USING (id) WHERE id < 3  -- refused: USING here
SELECT x.id FROM events AS e JOIN (SELECT id, amount AS a FROM events) AS x USING (id)  -- refused: USING here
SELECT id, a FROM (SELECT id FROM events WHERE id < 3) AS e FULL JOIN (SELECT id, amount AS a FROM events WHERE id > 1) AS x USING (id)  -- refused: USING here
SELECT id, a FROM (SELECT id FROM events WHERE id < 3) AS e RIGHT JOIN (SELECT id, amount AS a FROM events WHERE id > 1) AS x USING (id)  -- refused: USING here
SELECT nope FROM events AS e JOIN events AS x USING (nope)  -- refused: USING here
SELECT id FROM events AS e JOIN sales AS s USING (id)  -- refused: USING here
SELECT (SELECT max(x.id) FROM events x WHERE x.id < e.id) FROM events e
SELECT address.city FROM sales AS address WHERE address.orderid = 'o1'
