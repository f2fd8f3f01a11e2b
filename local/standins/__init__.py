"""What the emulator lacks: pipe, Firehose, crawler and Glue jobs, each as the role deployed."""
