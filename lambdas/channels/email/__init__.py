"""Mails that SES received into the drop bucket: what a customer wrote, without old mails and signatures."""
