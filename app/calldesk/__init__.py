"""The desk at which dial tests are made: its list, pages and API. Stands above `dialling` and `probes`, which know
nothing of each other's people.
"""
