"""PostgreSQL tables landed as versioned CSV partitions, and read through typed views."""
