"""What the chain can carry: every hop's limit beside what a rate of changes needs, on paper.

``limits`` holds AWS's limits, ``chain`` the settings of a stack, ``hops`` compares the two, and
``outage`` says how backlogs grow and drain. `python -m simulation` checks the formulas.
"""
