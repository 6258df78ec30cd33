select
    countries.region,
    orders.product,
    count(*) as orders,
    cast(sum(orders.quantity) as bigint) as items,
    cast(sum(orders.quantity * orders.unit_price) as decimal(18, 2)) as revenue
from {{ source('shop', 'orders') }} as orders
inner join {{ ref('countries') }} as countries on orders.country = countries.country
group by countries.region, orders.product
