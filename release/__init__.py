"""What a release is made with: locked versions, a wheel whose bytes repeat, a list of parts. Not shipped."""
