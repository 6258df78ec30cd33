-- The example's source: a small shop, the same at each making.
create table customers (
    customer_id integer primary key,
    name text not null,
    country text not null,
    joined_on date not null
);
create table orders (
    order_id bigint primary key,
    ordered_on date not null,
    customer_id integer not null references customers (customer_id),
    country text not null,
    product text not null,
    quantity integer not null,
    unit_price numeric(8, 2) not null
);
create index orders_by_day on orders (ordered_on);
comment on table customers is 'Everybody who ever bought something.';
comment on column customers.joined_on is 'The day of the first order.';
comment on table orders is 'What was bought.';
comment on column orders.ordered_on is 'The day of the order.';
comment on column orders.country is 'Where it is sent, as two letters.';
comment on column orders.unit_price is 'The price of one piece, in the shop''s currency.';

insert into customers
select
    n,
    (array['Ada', 'Ben', 'Chen', 'Dora', 'Emil', 'Fay', 'Gus'])[1 + n % 7] || ' ' || (array['Adler', 'Baker', 'Costa', 'Diaz', 'Egger'])[1 + n % 5],
    (array['AT', 'CA', 'DE', 'JP', 'US'])[1 + (n * n) % 5],
    date '2023-10-01' + n % 90
from generate_series(1, 200) as n;

-- Ninety days with 20 to 50 orders each.
insert into orders
select
    row_number() over (order by day, n),
    date '2024-01-01' + day,
    c.customer_id,
    c.country,
    (array['tea', 'coffee', 'cocoa', 'honey'])[1 + (day * 3 + n * 7) % 4],
    1 + (day + n * 5) % 4,
    (array[4.50, 6.20, 5.10, 8.90])[1 + (day * 3 + n * 7) % 4]
from generate_series(0, 89) as day
cross join lateral generate_series(1, 20 + (day * 11) % 31) as n
join customers c on c.customer_id = 1 + (day * 31 + n * 17) % 200;

create role reader login;
alter role reader set default_transaction_read_only = on;
grant select on all tables in schema public to reader;
analyze;
