"""An example of what may answer an automatic response: opens a case, as an object in the lake.

Replace it by what opens a case in your helpdesk or takes a product from your catalogue; see ``docs/alerts.md``.
"""
