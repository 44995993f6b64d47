from drgn.helpers.linux.pid import for_each_task

for task in for_each_task(prog):
    print(f"{task.value_():x} {task.pid.value_()} {task.comm.string_().decode(errors='replace')}")
