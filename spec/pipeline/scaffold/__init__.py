"""Write the code of a resource that the contract has and the SDK lacks: `make scaffold RESOURCE=…`.

`corrections` brings its part of the contract into the form of the others, `resource` reads it, `code` renders the
templates of `spec/scaffold`, `insertions` finds where in existing files a line belongs, and `write` does all of it or
nothing.
"""
