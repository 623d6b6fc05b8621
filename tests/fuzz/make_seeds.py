#!/usr/bin/env python3
"""Writes the seeds of every fuzz target, tests/fuzz/corpus/NAME/seed-WHAT. Needs nothing but Python.

usage: tests/fuzz/make_seeds.py
What is called found-WHAT there was found by fuzzing and is not made anew.
"""
import base64
import gzip
import io
import json
import pathlib
import struct
import zipfile
import zlib

CORPUS = pathlib.Path(__file__).parent / "corpus"


def seed(target, what, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{what}").write_bytes(content)


def parts(*files):
    """Several files in one input, as fuzz_cut takes it apart."""
    lengths = [struct.pack("<H", len(file)) for file in files[:-1]] + [b""]
    return b"".join(length + file for length, file in zip(lengths, files))


# --- IDX ---------------------------------------------------------------------------------------------------


def idx(magic, dims, data):
    return struct.pack(f">I{len(dims)}I", magic, *dims) + data


def idx_seeds():
    images = idx(0x803, (3, 2, 4), bytes(range(24)))
    labels = idx(0x801, (3,), bytes((0, 9, 4)))
    seed("idx", "four-files", parts(images, labels, images, labels))
    seed("idx", "test-split", parts(images, labels, b"", b""))
    seed("idx", "billion-images", parts(idx(0x803, (10**9, 28, 28), bytes(8)), idx(0x801, (10**9,), bytes(8)), b"", b""))
    seed("idx", "other-sizes", parts(images, labels, idx(0x803, (3, 4, 2), bytes(24)), labels))


# --- gzip, tar, CIFAR-10 -----------------------------------------------------------------------------------


def packed(data):
    return gzip.compress(data, 9, mtime=0)


def gzip_seeds():
    whole = packed(b"hello, " * 40)
    seed("gzip", "plain", b"plain bytes\n")
    seed("gzip", "whole", whole)
    seed("gzip", "two-members", whole + packed(b"and more"))
    seed("gzip", "cut-short", whole[:-6])
    seed("gzip", "wrong-checksum", whole[:-8] + bytes(8))
    seed("gzip", "garbage-behind", whole + b"garbage")
    seed("gzip", "zeros", packed(bytes(300_000)))  # above the target's limit
    named = bytearray(packed(b"named"))
    named[3] = 0x08 | 0x10  # flags: a name and a comment follow the header
    seed("gzip", "named", bytes(named[:10]) + b"name\0comment\0" + bytes(named[10:]))


def tar_member(name, content, kind=b"0", size=None, magic=b"ustar\x0000", prefix=b""):
    size = b"%011o" % len(content) if size is None else size
    header = struct.pack(
        "100s8s8s8s12s12s8sc100s8s32s32s16s155s12s",
        name, b"0000644", b"0000000", b"0000000", size, b"0" * 11, b" " * 8, kind,
        b"", magic, b"", b"", b"", prefix, b"",
    )  # fmt: skip
    header = header[:148] + b"%06o\0 " % sum(header) + header[156:]
    return header + content + bytes(-len(content) % 512)


def archive_seeds():
    end = bytes(1024)
    file = tar_member(b"folder/file", b"content")
    long_name = tar_member(b"././@LongLink", b"folder/" + b"n" * 120 + b"\0", b"L", magic=b"ustar  \0")
    seed("archive", "one-file", file + end)
    seed("archive", "prefix", tar_member(b"file", b"content", prefix=b"folder") + end)
    seed("archive", "long-name", long_name + file + end)
    seed("archive", "folder-and-link", tar_member(b"folder/", b"", b"5") + tar_member(b"link", b"", b"2") + file + end)
    seed("archive", "climbs-out", tar_member(b"../../etc/passwd", b"x") + tar_member(b"/etc/passwd", b"x") + end)
    seed("archive", "endless-name", tar_member(b"././@LongLink", b"", b"L", size=b"77777777777") + end)
    seed("archive", "base-256-size", tar_member(b"file", b"", size=b"\x80" + b"\xff" * 11) + end)
    seed("archive", "no-end", file)
    seed("archive", "pax", tar_member(b"pax", b"21 path=folder/longer\n28 GNU.sparse.name=a/b\nxxxx\n", b"x") + file + end)
    seed("archive", "sparse", tar_member(b"sparse", b"0" * 512, b"S") + end)
    seed("archive", "packed", packed(file + end))
    for what, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED), ("other-method", zipfile.ZIP_LZMA)):
        seed("archive", f"zip-{what}", zip_of({"folder/file": b"content" * 9, "../up": b"x", "empty": b"", "f/": b""}, method))


def zip_of(members, method=zipfile.ZIP_DEFLATED):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return memory.getvalue()


# --- pictures ----------------------------------------------------------------------------------------------

# 10 x 9 and 30 x 27 pixels of a gradient, by libjpeg.
JPEG_BASELINE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j"
    "q62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
    "pKSkpKSkpKT/wAARCAAJAAoDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABAX/xAAbEAABBAMAAAAAAAAAAAAAAAAAAQMF"
    "ITEyYv/EABQBAQAAAAAAAAAAAAAAAAAAAAH/xAAaEQACAgMAAAAAAAAAAAAAAAAAAgEEAxES/9oADAMBAAIRAxEAPwArEZyLSMrU"
    "oMC0wFew/IJknR//2Q=="
)
JPEG_PROGRESSIVE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j"
    "q62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
    "pKSkpKSkpKT/wgARCAAJAAoDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAwT/xAAUAQEAAAAAAAAAAAAAAAAAAAAB/9oA"
    "DAMBAAIQAxAAAAEloYP/xAAYEAACAwAAAAAAAAAAAAAAAAAAAQMQE//aAAgBAQABBQJRmYq//8QAFhEAAwAAAAAAAAAAAAAAAAAA"
    "AAEC/9oACAEDAQE/AVR//8QAFxEAAwEAAAAAAAAAAAAAAAAAAAEDEf/aAAgBAgEBPwGdHh//xAAUEAEAAAAAAAAAAAAAAAAAAAAg"
    "/9oACAEBAAY/Ah//xAAXEAADAQAAAAAAAAAAAAAAAAAAEGFx/9oACAEBAAE/IZmX/9oADAMBAAIAAwAAABBv/8QAFhEAAwAAAAAA"
    "AAAAAAAAAAAAAAER/9oACAEDAQE/EHQ//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxAX/8QAGBAAAgMAAAAAAAAAAAAA"
    "AAAAAAEQITH/2gAIAQEAAT8QMqwrD//Z"
)
JPEG_GRAY = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j"
    "q62rZ4C8ybqmx5moq6T/wAALCAAJAAoBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAABgT/xAAaEAABBQEAAAAAAAAAAAAAAAAAAQIF"
    "MkJx/9oACAEBAAA/AI4bIobVOBeGyKG1Th//2Q=="
)
JPEG_RESTARTS = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////"
    "////////////////////2wBDAVVaWnhpeOuCguv/////////////////////////////////////////////////////////////"
    "////////////wAARCAAbAB4DASIAAhEBAxEB/8QAFwAAAwEAAAAAAAAAAAAAAAAAAAECA//EACAQAAIBAwUBAQAAAAAAAAAAAAEC"
    "AAMhIhJRUpGhYTH/xAAWAQEBAQAAAAAAAAAAAAAAAAAAAQL/xAAbEQACAwADAAAAAAAAAAAAAAAAAREhMQISQf/dAAQAAf/aAAwD"
    "AQACEQMRAD8AhaPyBo5G0FV+bdwKvqObdxLjQf/QhqP5aUtH5EyvbNu41V+bdzSbnS+n/9GFary8EZarqOXgm6gbQIGo2mO1YST/"
    "0pZqtsvBKVqvLwTZgLWjUDaRcrwTZ//Z"
)


def png(width, height, depth, kind, passes=None, chunks=(), filter=0):
    """kind as in IHDR; the pixels are a gradient. passes: the sizes of Adam7's."""
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    data = b""
    for w, h in passes or [(width, height)]:
        row = bytes(i * 11 % 256 for i in range((w * bits + 7) // 8))
        data += b"".join(bytes([(filter + y) % 5 if filter else 0]) + row for y in range(h))

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 1 if passes else 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks)
        + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    )  # fmt: skip


def bmp(width, height, bits, header=40, masks=b"", palette=b""):
    line = (width * bits + 31) // 32 * 4
    start = 14 + header + len(masks) + len(palette)
    sizes = struct.pack("<HH", width, abs(height)) if header == 12 else struct.pack("<ii", width, height)
    rest = b"" if header == 12 else struct.pack("<IIiiII", 3 if masks else 0, 0, 0, 0, len(palette) // 4, 0)
    info = struct.pack("<I", header) + sizes + struct.pack("<HH", 1, bits) + rest
    pixels = bytes(i * 7 % 256 for i in range(line * abs(height)))
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + masks + palette + pixels


def picture_seeds():
    palette = (b"PLTE", bytes(range(48)))
    seed("picture", "png-gray", png(3, 2, 8, 0))
    seed("picture", "png-bits", png(9, 2, 1, 0, filter=1))
    seed("picture", "png-rgb", png(3, 5, 8, 2, filter=1))
    seed("picture", "png-rgb16", png(3, 2, 16, 2))
    seed("picture", "png-rgba", png(3, 2, 8, 6))
    seed("picture", "png-gray-alpha", png(3, 2, 8, 4))
    seed("picture", "png-palette", png(3, 2, 4, 3, chunks=[palette, (b"tRNS", b"\x00\x80\xff")]))
    seed("picture", "png-key", png(3, 2, 8, 2, chunks=[(b"tRNS", b"\x00\x0b\x00\x16\x00\x21")]))
    seed("picture", "png-interlaced", png(5, 5, 8, 6, passes=[(1, 1), (1, 1), (2, 1), (1, 2), (3, 1), (2, 3), (5, 2)]))
    seed("picture", "png-huge", png(10**5, 10**4, 8, 0, passes=[(1, 1)]))
    seed("picture", "bmp-24", bmp(3, 2, 24))
    seed("picture", "bmp-top-down", bmp(3, -2, 24))
    seed("picture", "bmp-32", bmp(3, 2, 32))
    seed("picture", "bmp-masks", bmp(3, 2, 16, masks=struct.pack("<III", 0xF800, 0x07E0, 0x001F)))
    seed("picture", "bmp-palette", bmp(3, 2, 8, palette=bytes(range(64))))
    seed("picture", "bmp-bits", bmp(9, 2, 1, palette=bytes(range(8))))
    seed("picture", "bmp-old", bmp(3, 2, 24, header=12))
    seed("picture", "jpeg-baseline", JPEG_BASELINE)
    seed("picture", "jpeg-progressive", JPEG_PROGRESSIVE)
    seed("picture", "jpeg-gray", JPEG_GRAY)
    seed("picture", "jpeg-restarts", JPEG_RESTARTS)


def pictures_seeds():
    some = {f"{name}/{i}.png": png(2 + i, 2, 8, 2) for name in ("cat", "dog") for i in range(2)}
    members = b"".join(tar_member(path.encode(), content) for path, content in some.items())
    seed("pictures", "classes", members + bytes(1024))
    seed("pictures", "zip", zip_of(some))
    parted = {f"set/{part}/{path}": content for part in ("train", "test", "val") for path, content in some.items()}
    seed("pictures", "parts", zip_of(parted))
    beside = {"set/x.png": b"", "__MACOSX/a": b"", ".hidden": b"", "set/cat/note.txt": b"", "/set/../a/b.png": b""}
    seed("pictures", "beside", zip_of({**beside, **parted}))
    seed("pictures", "unreadable", zip_of({**some, "cat/9.png": b"no picture"}))
    seed("pictures", "other-formats", zip_of({**some, "cat/8.bmp": bmp(3, 2, 24), "dog/9.jpg": JPEG_GRAY}))


def cifar_seeds():
    names = b"airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n"

    def short(records, rest=0, labels=(3, 9, 0)):
        return bytes((records, rest, *labels[:records]))

    seed("cifar", "whole", parts(names, *[short(2)] * 6))
    seed("cifar", "one-record", parts(names, *[short(1)] * 6))
    seed("cifar", "no-names", parts(b"", *[short(1)] * 6))
    seed("cifar", "cut-short", parts(names, *[short(2)] * 5, short(1, 255)))
    seed("cifar", "different-counts", parts(names, *[short(2)] * 4, short(3), short(2)))
    seed("cifar", "label-10", parts(names, *[short(1, labels=(10,))] * 6))
    seed("cifar", "long-name", parts(b"n" * 40 + names, *[short(1)] * 6))


# --- MATLAB 5 ----------------------------------------------------------------------------------------------


def mat_part(kind, data, order="<"):
    return struct.pack(order + "II", kind, len(data)) + data + bytes(-len(data) % 8)


def mat_matrix(name, klass, dims, kind, data, order="<", flags=0):
    content = mat_part(6, struct.pack(order + "II", klass | flags, 0), order)
    content += mat_part(5, struct.pack(f"{order}{len(dims)}i", *dims), order)
    content += mat_part(1, name, order) + mat_part(kind, data, order)
    return mat_part(14, content, order)


def mat_packed(element, order="<"):
    data = zlib.compress(element, 9)
    return struct.pack(order + "II", 15, len(data)) + data


def mat_file(*elements, order="<"):
    mark = b"\x00\x01IM" if order == "<" else b"\x01\x00MI"
    return b"MATLAB 5.0 MAT-file".ljust(124) + mark + b"".join(elements)


def mat_seeds():
    double, uint8, complex_flag = 6, 9, 0x800
    numbers = mat_matrix(b"numbers", double, (2, 3), 9, struct.pack("<6d", *range(6)))
    small = struct.pack("<HHI", 1, 1, ord("y"))  # a name inside its tag
    images = mat_matrix(b"X", uint8, (32, 32, 3, 2), 2, bytes(6144))
    labels = mat_matrix(b"y", double, (2, 1), 2, bytes((1, 10)))
    seed("mat", "numbers", mat_file(numbers))
    seed("mat", "packed", mat_file(mat_packed(numbers)))
    seed("mat", "two-variables", mat_file(mat_matrix(b"other", double, (1, 1), 9, bytes(8)), numbers))
    seed("mat", "small-parts", mat_file(mat_part(14, numbers[8:40] + small + struct.pack("<HHI", 2, 4, 0))))
    seed("mat", "big-endian", mat_file(mat_matrix(b"y", double, (1, 2), 9, struct.pack(">2d", 1, 2), ">"), order=">"))
    seed("mat", "svhn-packed", mat_file(mat_packed(images), mat_packed(labels)))
    seed("mat", "svhn-other-shape", mat_file(mat_matrix(b"X", uint8, (32, 32, 3, 2, 1, 1, 1), 2, bytes(6144)), labels))
    seed("mat", "svhn-one-label", mat_file(images, mat_matrix(b"y", double, (1, 1), 2, b"\1")))
    for what, label in ("11", 11), ("half", 1.5), ("not-a-number", float("nan")), ("endless", float("inf")):
        y = mat_matrix(b"y", double, (2, 1), 9, struct.pack("<2d", 1, label))
        seed("mat", "svhn-label-" + what, mat_file(mat_packed(images), y))
    seed("mat", "cell", mat_file(mat_matrix(b"X", 1, (1, 1), 14, bytes(8)), labels))
    seed("mat", "complex", mat_file(mat_matrix(b"X", double, (1, 1), 9, bytes(8), flags=complex_flag)))
    side = 2**31 - 1
    seed("mat", "endless-matrix", mat_file(mat_matrix(b"X", double, (side, side), 9, bytes(8))))
    seed("mat", "wrapping-matrix", mat_file(mat_matrix(b"X", double, (2**30, 2**30, 2**4), 9, b"")))
    for kind, code, size in (1, "b", 1), (3, "h", 2), (4, "H", 2), (5, "i", 4), (6, "I", 4), (7, "f", 4), (12, "q", 8), (13, "Q", 8):
        seed("mat", f"type-{kind}", mat_file(mat_matrix(b"y", double, (1, 1), kind, struct.pack("<" + code, 1))))


# --- .npy --------------------------------------------------------------------------------------------------


def npy(descr, shape, data, order="False", version=1, header=None):
    if header is None:
        header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
    header = header.encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes((version, 0)) + length + header + data


def npy_seeds():
    floats = struct.pack("<6f", *range(6))
    seed("npy", "floats", npy("<f4", (2, 3), floats))
    seed("npy", "doubles", npy("<f8", "(3,)", struct.pack("<3d", 1, -2, float("nan")), version=2))
    for descr, size in ("|i1", 1), ("<i2", 2), ("<i4", 4), ("<i8", 8), ("|u1", 1), ("<u8", 8), ("|b1", 1):
        seed("npy", f"integers-{descr[1:]}", npy(descr, "(2,)", b"\xff" * size * 2))
    seed("npy", "scalar", npy("<f4", "()", bytes(4)))
    seed("npy", "empty", npy("<f4", "(0, 3)", b""))
    seed("npy", "packed", packed(npy("<f4", (2, 3), floats)))
    seed("npy", "endless", npy("<f8", f"({2**60},)", bytes(8)))
    seed("npy", "endless-by-nothing", npy("<f8", f"(0, {2**60})", b""))
    seed("npy", "wrapping", npy("<f4", f"({2**32}, {2**32})", bytes(8)))
    seed("npy", "beyond-64-bits", npy("<f4", "(99999999999999999999,)", bytes(8)))
    seed("npy", "big-endian", npy(">f4", "(1,)", bytes(4)))
    seed("npy", "fortran", npy("<f4", "(1,)", bytes(4), order="True"))
    seed("npy", "object", npy("|O", "(1,)", b"cos\nsystem\n"))
    seed("npy", "rank-33", npy("<f4", str((1,) * 33), bytes(4)))
    seed("npy", "cut-short", npy("<f4", (2, 3), floats)[:20])
    seed("npy", "structured", npy("", "", b"", header="{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"))


def points_seeds():
    points = npy("<f4", "(3, 2)", struct.pack("<6f", *range(6)))
    labels = npy("<i8", "(3,)", struct.pack("<3q", -5, 2**62, -5))
    seed("points", "labelled", parts(points, labels))
    seed("points", "alone", parts(npy("<f8", "(2, 1, 2)", bytes(32)), b""))
    seed("points", "not-finite", parts(npy("<f4", "(1, 1)", struct.pack("<f", float("inf"))), labels))
    seed("points", "small-labels", parts(points, npy("|u1", "(3,)", b"\x00\xff\x07")))
    seed("points", "too-few-labels", parts(points, npy("|b1", "(2,)", b"\x00\x01")))
    seed("points", "float-labels", parts(points, npy("<f4", "(3,)", bytes(12))))
    seed("points", "matrix-of-labels", parts(points, npy("|u1", "(3, 1)", bytes(3))))
    seed("points", "none", parts(npy("<f4", "(0, 2)", b""), npy("<i8", "(0,)", b"")))


# --- safetensors, checkpoints ------------------------------------------------------------------------------


def tensors(**changed):
    """The header entries of the target's small store, which takes 20 floats."""
    entries, place = {}, 0
    for name, shape in ("conv.weight", [2, 1, 2, 2]), ("dense.weight", [2, 4]), ("bn.weight", [2]), ("bn.running_mean", [2]):
        size = 4
        for dim in shape:
            size *= dim
        entries[name] = {"dtype": "F32", "shape": shape, "data_offsets": [place, place + size]}
        place += size
    for name, change in changed.items():
        entries[name.replace("_", ".")].update(change)
    return entries


def text(header):
    return json.dumps(header, separators=(",", ":")).encode()


def safetensors(header, data, length=None):
    return struct.pack("<Q", len(header) if length is None else length) + header + data


DATA = struct.pack("<20f", *range(20))


def safetensors_seeds():
    metadata = {"__metadata__": {"format": "pt", "model": "mlp", "image": "28 28 1"}}
    whole = text(metadata | tensors())
    seed("safetensors", "whole", safetensors(whole, DATA))
    seed("safetensors", "parts", parts(whole, DATA))
    seed("safetensors", "other-model", parts(text(metadata | {"fc.weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}), DATA))
    seed("safetensors", "half", parts(text(tensors(conv_weight={"dtype": "F16"})), DATA))
    seed("safetensors", "same-place", parts(text(tensors(dense_weight={"data_offsets": [0, 32]})), DATA))
    seed("safetensors", "behind-the-end", parts(text(tensors(bn_weight={"data_offsets": [2**53, 2**53 + 8]})), DATA))
    seed("safetensors", "before-the-start", parts(text(tensors(bn_weight={"data_offsets": [-8, 0]})), DATA))
    seed("safetensors", "endless-header", safetensors(whole, DATA, 2**63))
    seed("safetensors", "longest-header", safetensors(whole, DATA, 2**64 - 8))
    seed("safetensors", "deep", parts(b"[" * 3000, b""))
    seed("safetensors", "deep-in-header", parts(b'{"a":' * 1500, b""))
    seed("safetensors", "open-name", parts(b'{"1":1,', b""))
    seed("safetensors", "endless-numbers", parts(text(tensors()).replace(b"[2,4]", b"[2e999,4]"), DATA))


def weights_seeds():
    def half(code):
        return {"dtype": code, "data_offsets": [0, 16]}

    seed("weights", "whole", parts(text(tensors()), DATA))
    seed("weights", "counter", parts(text(tensors() | {"bn.num_batches_tracked": {"dtype": "I64", "shape": [], "data_offsets": [80, 88]}}), DATA + bytes(8)))
    for code in "F16", "BF16":
        seed("weights", code.lower(), parts(text(tensors(conv_weight=half(code))), DATA))
    seed("weights", "f64", parts(text(tensors(bn_weight={"dtype": "F64", "data_offsets": [0, 16]})), DATA))
    seed("weights", "f64-too-long", parts(text(tensors(bn_weight={"dtype": "F64"})), DATA))
    seed("weights", "integers", parts(text(tensors(bn_weight={"dtype": "I32"})), DATA))
    seed("weights", "other-shape", parts(text(tensors(dense_weight={"shape": [4, 2]})), DATA))
    seed("weights", "endless-shape", parts(text(tensors(dense_weight={"shape": [2**31, 2**31, 2**2]})), DATA))
    seed("weights", "not-a-number", parts(text(tensors()), struct.pack("<20f", *[float("nan")] * 20)))
    seed("weights", "nothing", parts(text({}), b""))


def checkpoint_seeds():
    zeros = "0" * 16
    where = {"version": "1.0", "dataset_checksum": zeros, "step": "3", "images": "384", "steps": "10", "seconds": "1.5",
             "timed_seconds": "1", "timed_images": "256", "optimizer.steps": "3"}  # fmt: skip
    entries = tensors()
    state = {}
    place = 80
    for name in "conv.weight", "dense.weight", "bn.weight":
        size = entries[name]["data_offsets"][1] - entries[name]["data_offsets"][0]
        state["optimizer.first." + name] = entries[name] | {"data_offsets": [place, place + size]}
        place += size
    data = DATA + bytes(72)

    def header(form="1", **changed):
        metadata = {"checksum": zeros, "format": "pt", "checkpoint": form} | where | changed
        return text({"__metadata__": metadata} | entries | state)

    seed("checkpoint", "whole", parts(header(), data))
    seed("checkpoint", "other-form", parts(header("2"), data))
    seed("checkpoint", "beyond-its-steps", parts(header(step="18446744073709551615"), data))
    seed("checkpoint", "overflowing", parts(header(step="99999999999999999999"), data))
    seed("checkpoint", "endless", parts(header(seconds="1e999"), data))
    seed("checkpoint", "not-a-number", parts(header(timed_seconds="nan"), data))
    seed("checkpoint", "other-batch", parts(header(**{"option.batch": "64"}), data))
    seed("checkpoint", "without-state", parts(text({"__metadata__": {"checksum": zeros, "checkpoint": "1"} | where} | entries), DATA))


# --- ini files ---------------------------------------------------------------------------------------------


def options_seeds():
    config = b"""# a run
model = mlp
dataset = mnist
snnl-weight = -0.1
snnl-layers = relu1=0.1, relu[2-3]
distance = cosine
temperature = 0.001
temperature-mode = fixed
epochs = 1.5
steps = 9000000000000000
batch = 128
seed = 1
optimizer = adam
lr = 0.001
nesterov = yes
schedule = step
"""
    seed("options", "config", config)
    seed("options", "comments", b"; a\n# b\n\n[section]\nseed = 3\n")
    seed("options", "windows", b"\xef\xbb\xbfseed = 3\r\nbatch = 7\r\n")
    seed("options", "overflow", b"seed = 99999999999999999999\n")
    seed("options", "infinite", b"lr = 1e999\n")
    seed("options", "not-a-number", b"lr = nan\n")
    seed("options", "long-line", b"model = " + b"m" * 3000 + b"\n")
    seed("options", "hidden-in-a-long-line", b"#" + b"x" * 1022 + b"\nseed = 3\n")
    seed("options", "zero-byte", b"seed = 3\0\nbatch = 7\n")
    seed("options", "no-value", b"seed\n")
    seed("options", "many-stars", b"model = mlp\nsnnl-weight = 1\nsnnl-layers = " + b"*?" * 200 + b"\n")


def study_seeds():
    seed("study", "grid", b"title = T\nabout = A\npaper = P\nplace = 3\ncurves = yes\nfindings = no\n[block]\npreset = shapes_resnet\n"
         b"snnl-weight = 0 | 0.1\nseed = 1 | 2\nquick.seed = 1\nfull.epochs = 3\n")  # fmt: skip
    seed("study", "analyses", b"[a]\npreset = mnist_cnn\nthen.attack = --run {run} --out {out} --to {others}\nquick.then.attack = no\n"
         b"full.then.neighbors = --run {run} --out {out} --outliers {dataset}\n")  # fmt: skip
    seed("study", "two-blocks", b"[a]\npreset = mnist_cnn\n[b]\npreset = mnist_cnn\nbatch = 1|2|3\n")
    many = b" | ".join(b"%d" % i for i in range(1, 60))
    seed("study", "too-many-runs", b"[a]\npreset = shapes_resnet\nseed = " + many + b"\nbatch = " + many + b"\nlog-every = " + many + b"\n")
    seed("study", "same-block", b"[a]\npreset = mnist_cnn\n[a]\npreset = mnist_cnn\n")
    seed("study", "long-line", b"[a]\npreset = " + b"p" * 3000 + b"\n")
    mnist = b"[a]\npreset = mnist_cnn\n"
    seed("study", "other-dataset", mnist + b"dataset = minst\n")
    seed("study", "other-model", mnist + b"model = cnn\n")
    seed("study", "other-layers", mnist + b"snnl-layers = conv1 | conv9\n")
    seed("study", "many-values", mnist + b"seed = " + b"|".join(b"%d" % i for i in range(70)) + b"\n")
    seed("study", "long-title", b"title = " + b"t" * 1500 + b"\n" + mnist)
    seed("study", "absent-preset", b"[a]\npreset = absent.ini\n")
    seed("study", "no-preset", b"[a]\nseed = 1\n")
    seed("study", "unknown-word", b"[a]\npreset = mnist_cnn\nthen.attack = {out} {everything}\n")


# --- metrics.csv, summary.json -----------------------------------------------------------------------------


def metrics_seeds():
    head = b"step,epoch,images,seconds,lr,loss,cross_entropy,accuracy"
    taps = b",snnl/relu1,temperature/relu1,snnl/relu2,temperature/relu2"
    tests = b",test_loss,test_accuracy"
    row = b"1,0.5,128,0.25,0.001,2.3,2.3,0.1"
    seed("metrics", "taps", head + taps + tests + b"\n" + row + b",0.9,100,0.8,50,,\n" + row + b",0.9,100,nan,inf,2.2,0.2\n")
    seed("metrics", "plain", head + tests + b",more\r\n" + row + b",,,\r\n")
    seed("metrics", "unfinished", head + tests + b"\n" + row + b",,\n" + row)
    seed("metrics", "rows-of-nothing", head + taps * 20 + tests + b"\n" + b"\n" * 2000)
    seed("metrics", "overflow", head + tests + b"\n" + row.replace(b"2.3", b"1e999") + b",-1e999,0x1p9999\n")
    seed("metrics", "header-only", head + tests + b"\n")
    seed("metrics", "zero-byte", head + tests + b"\n" + row.replace(b"2.3", b"2\0003") + b",,\n")


def summary_seeds():
    run = {
        "model": "cifar_resnet", "dataset": "shapes", "seed": 1, "steps": 100, "train_accuracy": 0.9, "test_accuracy": 0.8,
        "test_examples": 1000, "seconds": 12.5, "dataset_checksum": "0123456789abcdef", "interrupted": False,
        "reliability": [{"count": 3, "confidence": 0.05, "accuracy": 0}, {"count": 5, "confidence": 0.15, "accuracy": 0.2}],
        "taps": [{"name": "block1", "snnl": 0.5, "temperature": 12, "weight": 0.1}, {"name": "block2", "snnl": 0.4, "temperature": 9, "weight": 0}],
    }  # fmt: skip
    analysis = {
        "examples": 300, "seconds": 3,
        "attacks": [{"method": "fgsm", "epsilon": 0.1, "step": 0.1, "accuracy": 0.5, "transfer": [{"run": "r", "accuracy": 0.7}]}],
        "outliers": {"noise": {"auroc": 0.9}}, "snapshots": [{"step": 100, "snnl": 0.3}],
    }  # fmt: skip
    seed("summary", "run", text(run))
    seed("summary", "analysis", text(analysis))
    seed("summary", "lists-in-lists", text({"interrupted": False, "a": [[1, 2], [{"b": 3}]], "taps": [[1], {"name": "block1"}]}))
    seed("summary", "interrupted", text({"interrupted": True}))
    seed("summary", "other-types", text({"interrupted": False, "taps": {"a": 1, "b": [1]}, "reliability": [1, "x"], "test_accuracy": "0.8"}))
    seed("summary", "endless", text(run).replace(b"12.5", b"1e999").replace(b"0.8", b"-1e999"))
    seed("summary", "deep", b'{"a":' * 900 + b"1" + b"}" * 900)
    seed("summary", "too-deep", b"[" * 5000)
    seed("summary", "open-name", b'{"1":1,')
    seed("summary", "long-name", text({"n" * 400: 1, "interrupted": False, "taps": [{"name": "n" * 400, "temperature": 1}]}))


# --- .npz --------------------------------------------------------------------------------------------------


def npz_seeds():
    x, y = npy("<f4", (2, 3), struct.pack("<6f", *range(6))), npy("<i8", "(2,)", bytes(16))
    seed("npz", "one", zip_of({"x.npy": x}))
    seed("npz", "two", zip_of({"x.npy": x, "y.npy": y}))
    seed("npz", "stored", zip_of({"x.npy": x}, zipfile.ZIP_STORED))
    seed("npz", "no-array", zip_of({"x.txt": b"x"}))
    seed("npz", "damaged-array", zip_of({"x.npy": x[:20]}))
    seed("npz", "climbs-out", zip_of({"../x.npy": x}))
    seed("npz", "cut-short", zip_of({"x.npy": x})[:-30])


# --- pictures of the report --------------------------------------------------------------------------------


def svg_seeds():
    head = b'<?xml version="1.0"?>\n<svg \n viewBox="0 0 640 480"\n xmlns="http://www.w3.org/2000/svg"\n xmlns:xlink="http://www.w3.org/1999/xlink"\n>\n'
    body = (b"<title>Gnuplot</title>\n<desc>Produced by GNUPLOT</desc>\n<g id=\"plot\">\n<defs><circle id='dot' r='0.5' stroke-width='0.5'/>"
            b"<filter id='f' filterUnits='objectBoundingBox' x='0' y='0'><feFlood flood-color='#FFF'/><feComposite in='SourceGraphic'/></filter></defs>"
            b"<g fill=\"none\" stroke=\"currentColor\"><polygon fill = 'rgb(158, 202, 225)' points = '85.00,121.16 103.05,121.16 '/><path stroke='black' d='M54.5,444.0 L63.5,444.0  '/><g transform=\"translate(46.2,447.9)\" text-anchor=\"end\">"
            b"<text><tspan font-family=\"Sans\" xml:space=\"preserve\"> 0</tspan></text></g><use xlink:href='#dot' fill=\"url(#f)\"/>"
            b"<image xlink:href='data:image/png;base64,iVBORw0KGgo=' width='1'/></g></g>\n")  # fmt: skip
    seed("svg", "figure", head + body + b"</svg>\n")
    seed("svg", "bare", b"<svg></svg>")
    seed("svg", "script", head + b"<script>alert(1)</script></svg>")
    seed("svg", "event", head + b"<g onclick='x'/></svg>")
    seed("svg", "comment", head + b"<!-- --></svg>")
    seed("svg", "title-in-value", b"<svg><path fill='<title>'/><path fill=\"</title>' onload='x\"/></svg>")
    seed("svg", "outside", b"<svg><path fill='url(http://x)'/></svg>")


if __name__ == "__main__":
    for make in [value for name, value in sorted(globals().items()) if name.endswith("_seeds")]:
        make()
