from threading import Thread
from time import sleep

from attention.runtime.threads import processors
from attention.ui.readers import page_turn


def test_pages_are_made_a_few_at_a_time():
    inside, most = [], []

    def make_a_page():
        with page_turn():
            inside.append(1)
            sleep(0.01)
            most.append(len(inside))
            inside.pop()

    readers = [Thread(target=make_a_page, daemon=True) for _ in range(4 * processors())]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(10)
    assert len(most) == len(readers)
    assert max(most) <= processors()
