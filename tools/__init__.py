"""The typed tools that agents call: thin, one file an area, found by scanning this folder.

A handler turns JSON types into domain types, makes one service call and returns a bounded result. Whatever knows
markets lives in ``trading``; who may call which tool is said by the roles in ``agents``.
"""
