


tx-default+
)d5f58c96-8bff-4f6e-a9f7-c4926b45f31f-0016*
Œ

tx-g21Ş(sıÀÚA:

tx-default@HPZÏºKÜ•îNJ¯Á”¡ùd©jP"N
$116b3df8-5ac0-4ad7-a626-c9b221d49eed&
$0f1b7df4-9459-466e-b1a6-4c385af79868