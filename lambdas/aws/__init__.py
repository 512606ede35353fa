"""The adapters: each speaks to one AWS service in the words of the domain. They decide nothing."""
