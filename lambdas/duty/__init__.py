"""Each minute: what was held back goes out, digests are told, and what nobody acknowledged goes to others."""
