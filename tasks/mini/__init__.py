"""The embedded diagnostic suite: seeded grammars for five task families and the small models pre-trained for them.

In the spirit of CheckList (Ribeiro et al. 2020, https://aclanthology.org/2020.acl-main.442): every test row names the
linguistic phenomenon it probes, so that a score can be taken apart. Nothing here needs the network.
"""
