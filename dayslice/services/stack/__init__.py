"""The real services on one machine, without Docker: an S3 server, a Hive metastore, Trino. All on loopback."""
