"""The truth: tables, migrations and queries. SQL lives here and nowhere else."""
