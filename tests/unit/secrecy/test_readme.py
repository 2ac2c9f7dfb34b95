# The example in the library's own page runs as it stands.
import noise


def test_the_example():
    with open(noise.__file__.rsplit("/", 1)[0] + "/README.md") as file:
        text = file.read()
    blocks = text.split("```python\n")[1:]
    assert len(blocks) == 1
    names = {}
    exec(blocks[0].split("```")[0], names)
    assert names["record"][:12] == b"good morning" and names["initiator"].result
