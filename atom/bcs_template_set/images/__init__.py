"""Whether a registry has an image: there, proved missing, or not to be seen; where its password may go."""
