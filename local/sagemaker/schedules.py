"""Starting and stopping monitoring schedules. What a schedule would run is not part of this."""

import time

from local.sagemaker.kinds import MONITORING_SCHEDULE
from local.sagemaker.resources import Operations, Records
from local.sagemaker.shapes import Fields


class Schedules:
    """The two operations that change whether a schedule is on."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def operations(self) -> Operations:
        """What this part of SageMaker answers."""
        return {
            "StartMonitoringSchedule": lambda request: self._turn(request, "Scheduled"),
            "StopMonitoringSchedule": lambda request: self._turn(request, "Stopped"),
        }

    def _turn(self, request: Fields, status: str) -> Fields:
        record = self._records.find(MONITORING_SCHEDULE, request["MonitoringScheduleName"])
        self._records.store.update(
            MONITORING_SCHEDULE.kind,
            record["MonitoringScheduleName"],
            MonitoringScheduleStatus=status,
            LastModifiedTime=time.time(),
        )
        return {}
