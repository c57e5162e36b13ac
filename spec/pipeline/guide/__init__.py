"""The work that a newly published document leaves to a person: one list, in order, with the lines to write.

`tasks` is the list and its text, `listings` finds where code lists the attributes of a resource, `models` reads the
public models. `attributes`, `removals`, `operations` and `values` find the work of each kind, `plan` puts it in order.
"""
