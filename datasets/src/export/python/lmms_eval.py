

def _folder():
    import os

    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


FOLDER = _folder()


def doc_to_visual(doc):
    """The pictures of a question; JSON lines name them."""
    import os

    from PIL import Image

    image = doc["image"]
    image = Image.open(os.path.join(FOLDER, image)) if isinstance(image, str) else image
    return [image.convert("RGB")]


def doc_to_text(doc, lmms_eval_specific_kwargs=None):
    """The prompt."""
    return doc["prompt"]


def process_results(doc, results):
    """Whether the reply is right, and whether it parses at all."""
    text, task = results[0], doc["task"]
    return {
        "accuracy": float(is_right(text, task, doc["truth"])),
        "parses": float(answer_of(text, task) is not None),
    }
