


tx-default+
)d5f58c96-8bff-4f6e-a9f7-c4926b45f31f-0016*¶
³

tx-g2")Command terminated with signal Terminated1%Z”ıÀÚA:

tx-defaultHZBbÛï­AJ´À&¼
9jP"N
$116b3df8-5ac0-4ad7-a626-c9b221d49eed&
$0f1b7df4-9459-466e-b1a6-4c385af79868