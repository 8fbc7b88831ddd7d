"""Frame to face boxes: YuNet where its file is, else OpenCV's Haar cascade."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from fer.errors import DataError, ModelError
from fer.params import CaptureParams
from fer.paths import Paths

# On 102 photographs with 168 faces, scaled to 640 x 480, YuNet from a score of 0.7 found all
# faces with 2 false ones in 5 ms of processor time, and Haar `alt2` found 90 % with 1 false one
# in 62 ms. `frontalface_default` gave 2 to 5 times as many false ones.
_YUNET_OVERLAP: Final = 0.3
_YUNET_SIDE: Final = 320

# A face that is small in the frame gets a low score (0.64-0.87 in a group), and so does a dog's
# large one (0.88), whose landmarks lie as a face's do: no limit tells them apart. Seen again from
# near and large, the group's 14 faces score 0.89-0.94 in frames 320 to 1920 pixels wide, and the
# dog 0.81-0.86. So doubtful ones are looked at again; that costs 5 ms for each. At 240 pixels it
# would be 3 ms, and faces from 0.83 on: some would be lost.
_YUNET_MAYBE: Final = 0.6
_YUNET_SURE: Final = 0.9
_NEAR_SURE: Final = 0.88
_NEAR_SIDE: Final = 320
_NEAR_BOXES: Final = 2  # side of what is looked at again, in boxes

_HAAR_FILE: Final = "haarcascade_frontalface_alt2.xml"
_HAAR_STEP: Final = 1.1
_HAAR_NEIGHBOURS: Final = 3
_HAAR_SMALLEST: Final = 20
# Frames at least this long are halved, and longer ones brought down to it: on a group at
# 1920 x 1440 that gave as many boxes (15) as halving, in half the time.
_HAAR_SIDE: Final = 640

# Side of Haar's square in widths of YuNet's box, about the same centre. Fitted on photographs
# of 21 people that both detectors found, each person counted alike: from 1.22 to 1.24 the
# squares share most (0.79 of their union; unscaled 0.64), and moving the centre up or down
# makes it less. Haar's own steps are 10 %. Drawn faces give 1.22.
# Scaled by height the ratio spreads a quarter wider: YuNet's box grows with an open mouth.
_SQUARE_PER_WIDTH: Final = 1.23

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle in a frame, in pixels.

    Args:
        x: Column of the left edge.
        y: Row of the upper edge.
        width: Number of columns.
        height: Number of rows.
    """

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height


@dataclass(frozen=True)
class Detection:
    """A face that was found.

    Args:
        box: Square around brows, eyes, mouth and chin, inside the frame.
        score: YuNet's confidence, 0.6-1; 1 from Haar, which gives none.
        landmarks: The person's right eye, left eye, tip of the nose, right and left corner of
            the mouth, each (x, y) in pixels; None from Haar.
    """

    box: Box
    score: float
    landmarks: tuple[Point, ...] | None


def chosen(params: CaptureParams, paths: Paths) -> Path | None:
    """Return what `Detector` takes: the named file, else YuNet where it was fetched, else None."""
    if params.detector:
        return Path(params.detector).expanduser()
    return paths.detector if paths.detector.is_file() else None


class Detector:
    """Finds upright faces seen from the front; may be shared by threads.

    Args:
        model: YuNet's ONNX file, as `chosen` finds it; None: the Haar cascade that comes with
            OpenCV.

    Raises:
        ModelError: The file is missing or not YuNet.
    """

    def __init__(self, model: Path | None = None) -> None:
        """See the class."""
        self._finder = _YuNet(model) if model is not None else _Haar()
        # Neither of OpenCV's detectors may be called from two threads at once.
        self._lock = threading.Lock()

    def detect(self, frame: NDArray[np.uint8]) -> list[Detection]:
        """Return the faces in `frame`, largest first.

        Boxes are squares inside the frame that cover the same part of a face whichever
        detector found it.

        Args:
            frame: BGR, shape `(height, width, 3)`, values 0-255.

        Raises:
            DataError: Another shape or type.
        """
        if frame.dtype != np.uint8 or frame.shape[2:] != (3,) or not frame.size:
            raise DataError(
                f"Expected a frame uint8 (height, width, 3), received: {frame.dtype} "
                f"{frame.shape}. Is the camera in grey mode?"
            )
        with self._lock:
            found = self._finder.find(frame)
        return sorted(found, key=lambda face: face.box.area, reverse=True)


class _YuNet:
    def __init__(self, model: Path) -> None:
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(model), "", (_YUNET_SIDE, _YUNET_SIDE), _YUNET_MAYBE, _YUNET_OVERLAP
            )
        except cv2.error as error:
            received = (
                f"{model.stat().st_size} bytes of something else" if model.is_file() else "nothing"
            )
            raise ModelError(
                f"Expected YuNet's ONNX file at {model}, received {received}. Fetch it by "
                "`fer doctor --get yunet` and leave `capture.detector` in params.yaml null."
            ) from error

    def find(self, frame: NDArray[np.uint8]) -> list[Detection]:
        scale = min(1.0, _YUNET_SIDE / max(frame.shape[:2]))
        found = [_from_yunet(row, scale, frame) for row in self._rows(_resized(frame, scale))]
        return [
            face for face in found if face.score >= _YUNET_SURE or self._again(frame, face.box)
        ]

    def _again(self, frame: NDArray[np.uint8], box: Box) -> bool:
        """Whether there is a face in the middle of `box` when it is seen from near."""
        column, line = box.x + box.width / 2, box.y + box.height / 2
        reach = _NEAR_BOXES * box.width / 2
        left, top = max(0, int(column - reach)), max(0, int(line - reach))
        around = frame[top : int(line + reach), left : int(column + reach)]
        scale = _NEAR_SIDE / max(around.shape[:2])
        column, line = (column - left) * scale, (line - top) * scale
        return any(
            score >= _NEAR_SURE and x <= column < x + width and y <= line < y + height
            for x, y, width, height, *_, score in self._rows(_resized(around, scale)).tolist()
        )

    def _rows(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the network answers: box, five points and score, shape `(n, 15)`."""
        self._network.setInputSize((frame.shape[1], frame.shape[0]))
        rows = self._network.detect(frame)[1]
        # OpenCV answers None, not an empty array, where it finds nothing.
        return np.empty((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)


def _from_yunet(row: NDArray[np.float32], scale: float, frame: NDArray[np.uint8]) -> Detection:
    # x, y, width, height; five points; score
    x, y, width, height = (row[:4] / scale).tolist()
    points = (row[4:14] / scale).reshape(5, 2).tolist()
    return Detection(
        box=_square(x + width / 2, y + height / 2, _SQUARE_PER_WIDTH * width, frame),
        score=float(row[14]),
        landmarks=tuple((column, line) for column, line in points),
    )


class _Haar:
    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(cv2.data.haarcascades + _HAAR_FILE)

    def find(self, frame: NDArray[np.uint8]) -> list[Detection]:
        longest = max(frame.shape[:2])
        scale = min(0.5, _HAAR_SIDE / longest) if longest >= _HAAR_SIDE else 1.0
        grey = cv2.cvtColor(_resized(frame, scale), cv2.COLOR_BGR2GRAY)
        found = self._cascade.detectMultiScale(
            grey, _HAAR_STEP, _HAAR_NEIGHBOURS, minSize=(_HAAR_SMALLEST, _HAAR_SMALLEST)
        )
        squares = [(np.asarray(square) / scale).tolist() for square in found]
        return [
            Detection(_square(x + side / 2, y + side / 2, side, frame), 1.0, None)
            for x, y, side, _ in squares
        ]


def _resized(frame: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1:
        return frame
    height, width = (max(1, round(side * scale)) for side in frame.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, (width, height), interpolation=interpolation), np.uint8)


def _square(x: float, y: float, side: float, frame: NDArray[np.uint8]) -> Box:
    """Return the square around (x, y), moved into the frame where it leaves it.

    Haar's squares never leave the frame, so faces at its rim look alike from both detectors.
    """
    height, width = frame.shape[:2]
    pixels = min(round(side), height, width)
    left = min(max(round(x - pixels / 2), 0), width - pixels)
    top = min(max(round(y - pixels / 2), 0), height - pixels)
    return Box(left, top, pixels, pixels)
