"""`make demo`, the local Airflow behind it and behind `make airflow`, and what the end-to-end tests share with both."""
