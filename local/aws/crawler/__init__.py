"""A Glue crawler that reads what is in S3: how it runs, what tables it finds, their columns, the catalog."""
