"""The table of scenes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from digitre.training.data.datasets import Part
from digitre.training.evaluation.scenes import (
    insets,
    lines,
    neighbours,
    paper,
    plain,
    programs,
    several,
)
from digitre.training.evaluation.scenes.drawing import Random, Writing


@dataclass(frozen=True)
class Scene:
    """One kind of picture.

    Attributes:
        id: its name in figures; it never changes.
        title: what it shows, for people.
        draw: makes a picture file. Place, size, pen and strength are random; the same generator in the
            same state makes the same picture.
        empty: whether the scene without any digit is a test as well: it must be refused. An empty
            ring is a zero, and a faint digit is a digit, so this is not true for each scene.
    """

    id: str
    title: str
    draw: Callable[[Writing, Random], bytes]
    empty: bool = False


# On an even ground: the network alone decides.
PLAIN = (
    Scene("plain", "on a white canvas", plain.plain, True),
    Scene("corner", "in a corner", plain.corner),
    Scene("noise", "with noise", plain.noise, True),
    Scene("colours", "in any two colours", plain.colours),
    Scene("coarse_jpeg", "as a coarse JPEG", plain.coarse_jpeg),
    Scene("box", "in a drawn box", plain.box),
    Scene("glass", "on a transparent ground", plain.glass),
    Scene("blackboard", "on a blackboard", plain.blackboard, True),
    Scene("tiny", "of 28 x 28 pixels", plain.tiny),
)
SCENES = (
    *PLAIN,
    Scene("toolbar", "below a toolbar", plain.toolbar, True),
    Scene("scroll_bar", "with a scroll bar", plain.scroll_bar, True),
    Scene("touching", "touching an edge", plain.touching),
    Scene("sticking_out", "sticking out of an edge by 4 %", plain.sticking_out),
    Scene("graph_photo", "on squared paper", paper.graph_photo, True),
    Scene("ruled_photo", "on ruled paper", paper.ruled_photo, True),
    Scene("marker", "with a thick marker on squared paper", paper.marker),
    Scene("soft_shadow", "under a soft shadow", paper.soft_shadow, True),
    Scene("hard_shadow", "under a hard shadow", paper.hard_shadow, True),
    Scene("vignette", "with a lens's dark corners", paper.vignette, True),
    Scene("thin_uneven", "with a thin pen in uneven light", paper.thin_uneven, True),
    Scene("pencil", "with a pencil", paper.pencil),
    Scene("fold", "on a sheet that was folded", paper.fold, True),
    Scene("finger", "with a fingertip over a corner", paper.finger, True),
    Scene("punched", "next to punched holes", paper.punched, True),
    Scene("show_through", "with writing that shines through", paper.show_through),
    Scene("dust", "with dust on smooth paper", paper.dust, True),
    Scene("specks", "with single black and white pixels", paper.specks, True),
    Scene("graph_canvas", "on a canvas with a grid", lines.graph_canvas, True),
    Scene("ruled_canvas", "on a canvas with ruled lines", lines.ruled_canvas, True),
    Scene("rule_below", "above a rule", lines.rule_below, True),
    Scene("rule_through", "with a rule through it", lines.rule_through, True),
    Scene("underlined", "underlined", lines.underlined, True),
    Scene("margin", "next to the line of a margin", lines.margin),
    Scene("comb", "in a form's comb", lines.comb, True),
    Scene("cell", "in the cell of a table", lines.cell, True),
    Scene("axes", "in the axes of a plot", lines.axes, True),
    Scene("padded", "in a photo padded with white", insets.padded, True),
    Scene("white_bars", "in a photo with white bars", insets.white_bars, True),
    Scene("black_bars", "in a photo with black bars", insets.black_bars, True),
    Scene("dark_page", "on a white canvas on a dark page", insets.dark_page, True),
    Scene("glare", "on a whiteboard with a reflection", paper.glare, True),
    Scene("legal_pad", "on a yellow pad with a margin", paper.legal_pad, True),
    Scene("turned", "in a turned photo with black corners", insets.turned, True),
    Scene("desk", "on a sheet on a desk", insets.desk, True),
    Scene("sticky_note", "on a sticky note on a wall", insets.sticky_note, True),
    Scene("at_an_angle", "on a sheet seen at an angle", insets.at_an_angle, True),
    Scene("shared_shadow", "under a shadow across sheet and desk", insets.shared_shadow, True),
    Scene("held", "on a sheet held by a finger, a clip or tape", insets.held, True),
    Scene("chequered", "on the squares of transparency", programs.chequered, True),
    Scene("demo_page", "on a page to draw on", programs.demo_page, True),
    Scene("drawing_program", "in a drawing program", programs.drawing_program, True),
    Scene("field", "below a line to write on", programs.field, True),
    Scene("neighbour", "next to the rest of a neighbour at an edge", neighbours.neighbour, True),
    Scene("rests", "between rests of writing above and below", neighbours.rests, True),
    Scene("circled", "circled", neighbours.circled),
    Scene("erased", "over the faint rest of an erased one", neighbours.erased),
    Scene("dot", "with a small dot next to it", neighbours.dot),
    Scene("pointer", "with a mouse pointer", neighbours.pointer),
    Scene("small_type", "below a line of small type", neighbours.small_type, True),
    Scene("stamp", "with a stamp or logo in a corner", neighbours.stamp),
)
# Two or three digits: each must be refused as one digit.
ARRANGEMENTS = (
    Scene("free", "free on the canvas", several.free),
    Scene("at_edge", "one at the edge", several.at_edge),
    Scene("cropped", "cropped tightly", several.cropped),
    Scene("thick_and_thin", "thick and thin", several.thick_and_thin),
)


@dataclass(frozen=True)
class SceneSet:
    """A scene with a number of digits, as it is measured.

    Attributes:
        id: the key of its figures on validation writers; with `_test`, on test writers.
        title: for people.
        scene: what draws its pictures.
        digits: how many digits a picture shows. Only one digit may be read.
    """

    id: str
    title: str
    scene: Scene
    digits: int

    def id_of(self, part: Part) -> str:
        """The key of its figures on the writers of a part."""
        return f"{self.id}_test" if part == "test" else self.id


WITH_DIGIT = tuple(SceneSet(f"scene_{each.id}", each.title, each, 1) for each in SCENES)
EMPTY = tuple(
    SceneSet(f"empty_{each.id}", f"no digit: {each.title}", each, 0)
    for each in SCENES
    if each.empty
)
SEVERAL = tuple(
    SceneSet(f"{name}_{each.id}", f"{name} digits: {each.title}", each, digits)
    for digits, name in ((2, "two"), (3, "three"))
    for each in ARRANGEMENTS
)
SCENE_SETS = (*WITH_DIGIT, *EMPTY, *SEVERAL)
