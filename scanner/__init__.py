"""
unsealed: finds leaked credentials in repositories, past and present.
"""

__version__ = "0.1.0"
