select count(*) as row_count
from {{ source('$source', '$table') }} as every_row
