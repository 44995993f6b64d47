from drgn.helpers.linux.pid import for_each_task

for task in for_each_task(prog):
    print(f"TASK {task.value_():x}")
    try:
        print(prog.stack_trace(task))
    except ValueError as error:
        print(error)
