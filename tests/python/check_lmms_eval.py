"""lmms-eval finds the tasks, shows the pictures, and scores right, wrong and unreadable replies as they are."""

from shared import at, right, splits, without_tags, wrong

from lmms_eval.tasks import TaskManager, get_task_dict

for export in ["lm_eval", "one_lm_eval", "jsonl_lm_eval"]:
    manager = TaskManager(include_path=at(export, "lmms_eval"), include_defaults=False)
    tasks = sorted(task for task in manager.all_tasks if task.startswith("vrrl_"))
    assert len(tasks) == len(splits(export)), tasks
    for name, task in get_task_dict(tasks, manager).items():
        rows = task.test_docs()
        for doc in rows:
            pictures = task.doc_to_visual(doc)
            assert len(pictures) == 1 and pictures[0].mode == "RGB"
            assert "<FINAL>" in task.doc_to_text(doc) and task.doc_to_target(doc) == doc["answer"]
            replies = [right(doc["answer"]), wrong(doc["task"]), without_tags(doc["answer"])]
            scores = [task.process_results(doc, [reply]) for reply in replies]
            assert [(s["accuracy"], s["parses"]) for s in scores] == [(1, 1), (0, 1), (0, 0)], scores
        assert task.higher_is_better() == {"accuracy": True, "parses": True}
        print(f"{name}: {len(rows)} rows")
