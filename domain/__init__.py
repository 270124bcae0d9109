"""What a claim is and what may happen to it. Pure: standard library only, batch in and decisions out."""
