"""Evidence: what a claim rests on, in typed items that are added and withdrawn, never altered.

Enter at `item.Evidence`. `filing` says what adding and withdrawing changes and what follows; `content` what items
of each kind hold; `file` which files are taken, by their bytes. The *evidence digest* covers all items of a
claim, so that whoever decides can say what they saw. What the policy asks for is *demanded*; what of it is not on
file is *missing*.
"""
