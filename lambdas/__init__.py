"""The functions of the product, a package each: ``handler.handle`` translates, one module decides, ``aws`` acts.

Every package has ``settings.py`` with a class ``Settings``, whose ``environment_names()`` are the variables that the
function needs. Importing a handler reads no environment, opens no connection and does not import boto3.
"""
