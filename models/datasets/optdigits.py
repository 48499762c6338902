"""5,216 handwritten digits as 8x8 counts of ink (Alpaydin and Kaynak 1998, UCI), as ODDS and ADBench give them.

All digits from 1 to 9 are normal, 150 zeros are not. The same pages gave the dataset Digits 8x8. Here each pixel is a
column, as the published table has it. Counts you should see: 5,066 normal, 150 zeros.
"""

from models.datasets import Arrays, Dataset
from models.datasets._tables import adbench, columns, read_adbench


def read() -> Arrays:
    """5,216 rows of 64 numbers, standardised."""
    return read_adbench(DATASET)


DATASET = Dataset(
    name="optdigits",
    title="Optical digits with few zeros",
    summary="Handwritten digits as rows of 64 pixels; a few zeros among all others are what does not belong.",
    kind="table",
    shape=(64,),
    count=5_216,
    classes=("1 to 9", "zero"),
    source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998; as in ADBench (S. Han et al., 2022)",
    licence="CC BY 4.0",
    label="digit",
    folder="tabular-anomaly",
    files=adbench("26_optdigits", "1736a110a5b69527d07d65eaac6f28cb", 197_633),
    columns=columns("""
row 1, column 1 | 0 | 1
row 1, column 2 | 0.30786 | 0.8766
row 1, column 3 | 5.4332 | 4.737
row 1, column 4 | 11.711 | 4.3185
row 1, column 5 | 11.576 | 4.5277
row 1, column 6 | 5.7631 | 5.701
row 1, column 7 | 0.6155 | 1.1448 | 0 | 0.74129
row 1, column 8 | 0.15333 | 1.1157
row 2, column 1 | 0.0031145 | 0.094099
row 2, column 2 | 2.0323 | 3.1351
row 2, column 3 | 10.344 | 5.4987
row 2, column 4 | 11.726 | 4.0458
row 2, column 5 | 10.398 | 4.8701
row 2, column 6 | 8.022 | 6.0725
row 2, column 7 | 2.2274 | 4.0557
row 2, column 8 | 0.15213 | 0.99332
row 3, column 1 | 0.0040728 | 0.10604
row 3, column 2 | 2.5031 | 3.5067
row 3, column 3 | 9.35 | 5.8399
row 3, column 4 | 6.9638 | 5.9376
row 3, column 5 | 7.4701 | 6.1468
row 3, column 6 | 7.6569 | 6.3198
row 3, column 7 | 0.61152 | 0.94843 | 0 | 1.4826
row 3, column 8 | 0.055582 | 0.4636
row 4, column 1 | 0.0011979 | 0.03459
row 4, column 2 | 2.1488 | 3.0152
row 4, column 3 | 8.9056 | 6.2693
row 4, column 4 | 9.5419 | 5.6937
row 4, column 5 | 10.464 | 5.8436
row 4, column 6 | 7.7489 | 6.1119
row 4, column 7 | 2.0474 | 3.5473
row 4, column 8 | 0.0038333 | 0.069115
row 5, column 1 | 0.0011979 | 0.03459
row 5, column 2 | 1.8627 | 3.2275
row 5, column 3 | 7.3105 | 6.346
row 5, column 4 | 9.8325 | 5.9658
row 5, column 5 | 11.146 | 5.3861
row 5, column 6 | 9.1543 | 6.0082
row 5, column 7 | 2.5879 | 3.3332
row 5, column 8 | 0 | 1
row 6, column 1 | 0.025156 | 0.30187
row 6, column 2 | 0.62451 | 1.0902 | 0 | 0.74129
row 6, column 3 | 6.0783 | 6.4413
row 6, column 4 | 7.6576 | 6.4612
row 6, column 5 | 8.3179 | 6.2141
row 6, column 6 | 8.3055 | 5.8481
row 6, column 7 | 3.2813 | 4.3457
row 6, column 8 | 0.025156 | 0.27003
row 7, column 1 | 0.01677 | 0.28238
row 7, column 2 | 0.79085 | 1.9674
row 7, column 3 | 7.3591 | 5.6148
row 7, column 4 | 9.799 | 5.2428
row 7, column 5 | 9.6128 | 5.3608
row 7, column 6 | 8.7916 | 6.0183
row 7, column 7 | 3.8361 | 5.0059
row 7, column 8 | 0.17681 | 0.86617
row 8, column 1 | 0.00023958 | 0.015476
row 8, column 2 | 0.29085 | 0.92675
row 8, column 3 | 5.838 | 5.1101
row 8, column 4 | 11.882 | 4.4344
row 8, column 5 | 11.449 | 5.0804
row 8, column 6 | 6.8311 | 5.9329
row 8, column 7 | 2.2451 | 4.1552
row 8, column 8 | 0.27168 | 1.449
"""),
    read=read,
)
