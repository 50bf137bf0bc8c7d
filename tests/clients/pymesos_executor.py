"""An executor on pymesos: it says that its task runs, sends messages back, and says that the task was killed."""

import sys

from pymesos import Executor, MesosExecutorDriver


class Echo(Executor):
    def launchTask(self, driver, task):
        self.tell(driver, task["task_id"], "TASK_RUNNING")

    def frameworkMessage(self, driver, message):
        driver.sendFrameworkMessage(message)

    def killTask(self, driver, task_id):
        self.tell(driver, task_id, "TASK_KILLED")

    @staticmethod
    def tell(driver, task_id, state):
        driver.sendStatusUpdate({"task_id": task_id, "state": state, "executor_id": driver.executor_id})


if __name__ == "__main__":
    sys.exit(MesosExecutorDriver(Echo()).run())
