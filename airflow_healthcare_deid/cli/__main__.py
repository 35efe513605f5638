"""``python -m airflow_healthcare_deid.cli``."""

from airflow_healthcare_deid.cli.main import main

main()
