import gdb

task_type = gdb.lookup_type("struct task_struct")
offset = next(field.bitpos // 8 for field in task_type.fields() if field.name == "tasks")
first = gdb.parse_and_eval("&init_task")
task = first
while True:
    print(f"{int(task):x} {int(task['pid'])} {task['comm'].string()}")
    task = gdb.Value(int(task["tasks"]["next"]) - offset).cast(task_type.pointer())
    if task == first:
        break
