import {connect} from 'node:net';
import { startTestStack } from '/work/main/test/test-stack.ts';
const stack=await startTestStack();
const st=stack.store; const a=await st.findAccount('alice@glass.localhost'); const box=await st.findMailbox(a.id,'INBOX');
const msgs=[]; for(let i=0;i<1000;i++){const sp=st.spool(); await sp.write(Buffer.from(`Subject: m${i}\r\n\r\nhi\r\n`)); msgs.push({content:await sp.finish(),flags:i%3?['\\Seen']:[],internalDate:new Date()});}
await st.appendMessages(a.id,'INBOX',msgs);
let n=1000; while(n<100000){const k=Math.min(n,100000-n); await st.copyMessages(a.id,box.id,Uint32Array.from({length:k},(_,i)=>i+1),'INBOX'); n+=k;}
const s=connect(stack.port('imap'),'127.0.0.1'); let buf='',want,res,bytes=0;
s.on('data',d=>{bytes+=d.length;buf=(buf+d.subarray(-200).toString('latin1')).slice(-400); if(want&&want.test(buf)) res();});
const cmd=async(c)=>{buf='';bytes=0;want=new RegExp('^x (OK|NO|BAD)','m');const t=performance.now();const p=new Promise(r=>res=r);s.write('x '+c+'\r\n');await p;return (performance.now()-t).toFixed(1)+'ms '+bytes};
await new Promise(r=>s.once('data',r));
await cmd('LOGIN alice glass'); if(process.argv[2]) await cmd(process.argv[2]); console.log('select',await cmd('SELECT INBOX'));
for(let i=0;i<8;i++) console.log(await cmd(process.argv[3]??'FETCH 1:* (UID FLAGS)'));
if (process.argv[2]==='ENABLE QRESYNC') { const v=box.uidValidity; console.log('qresync',await cmd(`SELECT INBOX (QRESYNC (${v} 1 1:100000 (1:1000 1:1000)))`)); console.log('vanished',await cmd('UID FETCH 1:* (FLAGS) (CHANGEDSINCE 99 VANISHED)')); }
s.destroy(); await stack[Symbol.asyncDispose]();
