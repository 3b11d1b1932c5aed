"""Writes stories of the same grammar from a seed that training never uses, for perplexity tests.

Stories that training could also have met word for word are astronomically rare, but are left out all the same.
"""

import argparse
import itertools
from pathlib import Path

from grammar import stories

FOLDER = Path(__file__).parents[2] / "Tests/Fixtures/Demo"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER / "heldout.txt")
    parser.add_argument("--seed", type=int, default=20_011)
    parser.add_argument("--training-seed", type=int, default=7)
    parser.add_argument("--bytes", type=int, default=50_000)
    arguments = parser.parse_args()
    # Training draws about 38,400 stories.
    trained = set(itertools.islice(stories(arguments.training_seed), 60_000))
    kept, size = [], 0
    for story in stories(arguments.seed):
        if size + len(story) + 1 > arguments.bytes:
            break
        if story not in trained:
            kept.append(story)
            size += len(story) + 1
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text("\n".join(kept) + "\n")
    print(f"{len(kept)} stories, {size} bytes in {arguments.output}")


if __name__ == "__main__":
    main()
