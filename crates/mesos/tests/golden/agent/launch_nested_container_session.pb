Jˆ
|
*check-c2aa3cf5-c435-4858-b590-5dc52de6ff73N
$4efb4d3e-a5e6-4e0f-b76d-c653aadfd050&
$0f1b7df4-9459-466e-b1a6-4c385af79868true0