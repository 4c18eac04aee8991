"""The vendor's models as a measure: whether an answer is what they say, and values that they forbid."""


def fits(shape, value, where):
    """The value is what the model says, and nothing more."""
    kind = shape.type_name
    if kind == "structure":
        assert isinstance(value, dict), where
        assert set(value) <= set(shape.members), f"{where}: {set(value) - set(shape.members)}"
        assert set(shape.required_members) <= set(value), where
        for name, member in value.items():
            fits(shape.members[name], member, f"{where}.{name}")
    elif kind == "list":
        assert isinstance(value, list), where
        for item in value:
            fits(shape.member, item, f"{where}[]")
    elif kind == "map":
        assert isinstance(value, dict), where
        for item in value.values():
            fits(shape.value, item, f"{where}{{}}")
    elif kind == "string":
        assert isinstance(value, str) and (not shape.enum or value in shape.enum), f"{where}: {value}"
    elif kind == "boolean":
        assert isinstance(value, bool), where
    elif kind in ("integer", "long"):
        assert isinstance(value, int) and not isinstance(value, bool), f"{where}: {value}"
    else:
        assert kind in ("double", "float", "timestamp") and isinstance(value, (int, float)), f"{where}: {value}"


def long_of(shape, chars=70_000):
    """A value of the shape's type that is too long, too large, or of no known word; small enough to be read."""
    kind = shape.type_name
    if kind == "string":
        return "\u00e9" * chars
    if kind == "list":
        # A list within a list is long by the outer one.
        return [long_of(shape.member, 600)] * (300 if chars > 600 else 3)
    if kind == "map":
        return {str(number): "v" * 1_000 for number in range(300)}
    if kind == "structure":
        return {name: long_of(member, chars) for name, member in shape.members.items()}
    return True if kind == "boolean" else -(10**30)
