"""The command line: orchestrate …"""
