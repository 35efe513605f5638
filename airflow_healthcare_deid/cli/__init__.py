"""``healthcare-deid``: the API from a command line, the emulator, and a preview of what a config does.

Nothing here imports Airflow, so that it starts fast.
"""
