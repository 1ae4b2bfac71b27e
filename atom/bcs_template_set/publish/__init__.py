"""Desired x existing -> plan; carrying it out, writing nothing twice, seeing who else wrote."""
