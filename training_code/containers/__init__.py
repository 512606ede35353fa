"""The code of the three serving containers. Needs Python 3.10 and numpy; two also tokenizers or OpenVINO.

Every container is one `inference.py` with the four verbs of AWS's serving toolkits. The modules beside them are what
they share: the lines of a request, the tensors between containers, the manifest of an artifact.
"""
