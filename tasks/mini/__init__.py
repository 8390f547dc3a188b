"""The built-in diagnostic suite: generated data for five task families, and small models that were pre-trained for them.

In the spirit of CheckList (Ribeiro et al. 2020, https://aclanthology.org/2020.acl-main.442), every test row names the
linguistic phenomenon that it probes, so that scores can be broken down. Nothing here needs the network.
"""
