"""Mutation test of the rules in `policy/`: how many single faults of our own templates do they notice?"""
