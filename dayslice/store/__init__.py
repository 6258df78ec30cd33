"""Where the files of slices lie: one interface, a plain directory and S3."""
